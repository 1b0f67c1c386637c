// Sums of LANES output channels a word, a memory for each lane. An update is given by its address,
// and its `delta` one clock later; updates may follow one another at one address: what is being
// written is forwarded to what is being read. `word` is what stands at the address of the clock
// before. A clear and an update never come together.
module arlif_accumulator #(
    parameter LANES = 1,
    parameter BITS = 16,
    parameter WORDS = 2,
    parameter ADDRESS_BITS = 1
) (
    input wire clk,
    input wire [ADDRESS_BITS-1:0] address,
    input wire update,
    input wire [LANES*BITS-1:0] delta,
    input wire clear,
    input wire [ADDRESS_BITS-1:0] clear_address,
    output wire [LANES*BITS-1:0] word
);
  reg updating, forward;
  reg [ADDRESS_BITS-1:0] address1;
  wire write = updating || clear;
  wire [ADDRESS_BITS-1:0] write_address = clear ? clear_address : address1;
  always @(posedge clk) begin
    updating <= update;
    address1 <= address;
    forward <= write && write_address == address;
  end
  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : sum
      reg [BITS-1:0] memory[0:WORDS-1];
      reg [BITS-1:0] found, written;
      wire [BITS-1:0] now = forward ? written : found;
      wire [BITS-1:0] next = clear ? {BITS{1'b0}} : now + delta[BITS*lane+:BITS];
      assign word[BITS*lane+:BITS] = now;
      always @(posedge clk) begin
        if (write) memory[write_address] <= next;
        found <= memory[address];
        written <= next;
      end
    end
  endgenerate
endmodule
