// Sums of LANES output channels a word. An update is given by its address, and its `delta` one clock
// later; updates may follow one another at one address: what is being written is forwarded to what is
// being read. `word` is what stands at the address of the clock before; it is asked for only while
// there are no updates. A clear and an update never come together, and `delta` is 0 where there is
// no update. no_rw_check: `found` is not used where `forward` holds. STYLE: "auto", or "logic" for registers in place of block memory.
module arlif_accumulator #(
    parameter LANES = 1,
    parameter BITS = 16,
    parameter WORDS = 2,
    parameter ADDRESS_BITS = 1,
    /* verilator lint_off UNUSED */
    parameter STYLE = "auto"
    /* verilator lint_on UNUSED */
) (
    input wire clk,
    input wire [ADDRESS_BITS-1:0] address,
    input wire update,
    input wire [LANES*BITS-1:0] delta,
    input wire clear,
    input wire [ADDRESS_BITS-1:0] clear_address,
    output wire [LANES*BITS-1:0] word
);
  (* ram_style = STYLE, no_rw_check *)reg [LANES*BITS-1:0] memory[0:WORDS-1];
  reg [LANES*BITS-1:0] found, written;
  wire [LANES*BITS-1:0] next;
  reg updating, forward;
  reg [ADDRESS_BITS-1:0] address1;
  wire write = updating || clear;
  wire [ADDRESS_BITS-1:0] write_address = clear ? clear_address : address1;
  wire [LANES*BITS-1:0] now = clear ? {LANES * BITS{1'b0}} : forward ? written : found;
  assign word = found;
  always @(posedge clk) begin
    updating <= update;
    address1 <= address;
    forward <= write && write_address == address;
    if (write) memory[write_address] <= next;
    found <= memory[address];
    written <= next;
  end
  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : sum
      assign next[BITS*lane+:BITS] = now[BITS*lane+:BITS] + delta[BITS*lane+:BITS];
    end
  endgenerate
endmodule
