// Constants that the sweep needs one after another: of every channel, or of every neuron.
// STYLE: "auto", or "logic" for registers in place of block memory.
module arlif_rom #(
    parameter BITS = 8,
    parameter WORDS = 2,
    parameter ADDRESS_BITS = 1,
    parameter FILE = "",
    /* verilator lint_off UNUSED */
    parameter STYLE = "auto"
    /* verilator lint_on UNUSED */
) (
    input wire clk,
    input wire rst,
    input wire read,
    output reg [BITS-1:0] word
);
  localparam LAST = WORDS - 1;
  (* ram_style = STYLE, rom_style = STYLE *)reg [BITS-1:0] memory[0:WORDS-1];
  reg [ADDRESS_BITS-1:0] address;
  initial $readmemh(FILE, memory);
  always @(posedge clk) begin
    word <= memory[address];
    if (rst) address <= 0;
    else if (read)
      address <= address == LAST[ADDRESS_BITS-1:0] ? {ADDRESS_BITS{1'b0}} : address + 1'b1;
  end
endmodule
