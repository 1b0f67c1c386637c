// A queue. The oldest word stands at `head` while `valid` holds, and leaves with `pop`.
// `room` falls while fewer than MARGIN places are free: what is under way still fits.
// no_rw_check: a word is never read in the clock it is written in.
// STYLE: "auto", or "logic" for registers in place of block memory.
module arlif_fifo #(
    parameter WIDTH = 8,
    parameter LOG_DEPTH = 4,
    parameter MARGIN = 1,
    /* verilator lint_off UNUSED */
    parameter STYLE = "auto"
    /* verilator lint_on UNUSED */
) (
    input wire clk,
    input wire rst,
    input wire push,
    input wire [WIDTH-1:0] data,
    output wire room,
    output reg valid,
    output reg [WIDTH-1:0] head,
    input wire pop
);
  localparam LIMIT = (1 << LOG_DEPTH) - MARGIN;
  (* ram_style = STYLE, no_rw_check *)reg [WIDTH-1:0] words[0:(1<<LOG_DEPTH)-1];
  reg [LOG_DEPTH:0] written, read;
  wire [LOG_DEPTH:0] level = written - read;
  wire fetch = written != read && (!valid || pop);
  assign room = level <= LIMIT[LOG_DEPTH:0];
  always @(posedge clk) begin
    if (push) words[written[LOG_DEPTH-1:0]] <= data;
    if (fetch) head <= words[read[LOG_DEPTH-1:0]];
    if (rst) begin
      written <= 0;
      read <= 0;
      valid <= 0;
    end else begin
      if (push) written <= written + 1'b1;
      if (fetch) read <= read + 1'b1;
      if (fetch) valid <= 1;
      else if (pop) valid <= 0;
    end
  end
endmodule
