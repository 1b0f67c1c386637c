// State variables of the neurons, a word each, in the order of the sweep. Every neuron starts at 0:
// while `first` holds, words are read as 0, so the memory needs no clearing.
// no_rw_check: of a word that is written in the clock it is read in nothing is used.
// STYLE: "auto", or "logic" for registers in place of block memory.
module arlif_states #(
    parameter BITS = 16,
    parameter WORDS = 2,
    parameter ADDRESS_BITS = 1,
    /* verilator lint_off UNUSED */
    parameter STYLE = "auto"
    /* verilator lint_on UNUSED */
) (
    input wire clk,
    input wire rst,
    input wire first,
    input wire read,
    output wire [BITS-1:0] word,
    input wire write,
    input wire [BITS-1:0] next
);
  localparam LAST = WORDS - 1;
  (* ram_style = STYLE, no_rw_check *)reg [BITS-1:0] memory[0:WORDS-1];
  reg [BITS-1:0] found;
  reg fresh;
  reg [ADDRESS_BITS-1:0] read_address, write_address;
  assign word = fresh ? {BITS{1'b0}} : found;
  always @(posedge clk) begin
    found <= memory[read_address];
    fresh <= first;
    if (write) memory[write_address] <= next;
    if (rst) begin
      read_address <= 0;
      write_address <= 0;
    end else begin
      if (read)
        read_address <= read_address == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}}
                                                               : read_address + 1'b1;
      if (write)
        write_address <= write_address == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}}
                                                                 : write_address + 1'b1;
    end
  end
endmodule
