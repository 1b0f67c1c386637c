// Reads a row of LANES weights and multiplies it: two clocks. Spikes (GRADED 0) need no product.
// `valid` holds one clock after the row was asked for; `delta` is 0 where it did not.
// STYLE: "auto", or "logic" for logic in place of block memory. HEAD: rows before those that are
// always logic, a multiple of a power of two that is not smaller than their number.
module arlif_weights #(
    parameter LANES = 1,
    parameter WEIGHT_BITS = 8,
    parameter V_BITS = 2,
    parameter GRADED = 0,
    parameter SHIFT = 0,
    parameter BITS = 16,
    parameter ROWS = 2,
    parameter ROW_BITS = 1,
    parameter HEAD = ROWS,
    parameter TAIL_BITS = 1,
    /* verilator lint_off UNUSED */
    parameter STYLE = "auto",
    parameter TAIL_FILE = "",
    /* verilator lint_on UNUSED */
    parameter FILE = ""
) (
    input wire clk,
    input wire [ROW_BITS-1:0] row,
    input wire signed [V_BITS-1:0] v,
    input wire valid,
    output reg [LANES*BITS-1:0] delta
);
  localparam WIDE = BITS + WEIGHT_BITS + V_BITS + SHIFT;
  (* ram_style = STYLE, rom_style = STYLE *)reg [LANES*WEIGHT_BITS-1:0] weights[0:HEAD-1];
  reg [LANES*WEIGHT_BITS-1:0] head;
  wire [LANES*WEIGHT_BITS-1:0] word;
  /* verilator lint_off UNUSED */
  reg signed [V_BITS-1:0] v1;
  /* verilator lint_on UNUSED */
  initial $readmemh(FILE, weights);
  always @(posedge clk) begin
    head <= weights[row];
    v1 <= v;
  end
  generate
    if (HEAD < ROWS) begin : split
      (* ram_style = "logic", rom_style = "logic" *)
      reg [LANES*WEIGHT_BITS-1:0] rest[0:ROWS-HEAD-1];
      reg [LANES*WEIGHT_BITS-1:0] tail;
      reg late;
      initial $readmemh(TAIL_FILE, rest);
      always @(posedge clk) begin
        tail <= rest[row[TAIL_BITS-1:0]];
        late <= row >= HEAD[ROW_BITS-1:0];
      end
      assign word = late ? tail : head;
    end else begin : whole
      assign word = head;
    end
  endgenerate
  genvar lane;
  generate
    for (lane = 0; lane < LANES; lane = lane + 1) begin : product
      wire signed [WEIGHT_BITS-1:0] weight = word[WEIGHT_BITS*lane+:WEIGHT_BITS];
      wire signed [WIDE-1:0] wide = {{(WIDE - WEIGHT_BITS) {weight[WEIGHT_BITS-1]}}, weight};
      wire signed [WIDE-1:0] value;
      if (GRADED != 0) begin : graded
        assign value = wide * $signed({{(WIDE - V_BITS) {v1[V_BITS-1]}}, v1});
      end else begin : spikes
        assign value = wide;
      end
      /* verilator lint_off UNUSED */
      wire signed [WIDE-1:0] shifted = value <<< SHIFT;
      /* verilator lint_on UNUSED */
      always @(posedge clk) delta[BITS*lane+:BITS] <= valid ? shifted[BITS-1:0] : {BITS{1'b0}};
    end
  endgenerate
endmodule
