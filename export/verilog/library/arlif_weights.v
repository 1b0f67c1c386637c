// Reads a row of LANES weights and multiplies it: two clocks. Spikes (GRADED 0) need no product.
module arlif_weights #(
    parameter LANES = 1,
    parameter WEIGHT_BITS = 8,
    parameter V_BITS = 2,
    parameter GRADED = 0,
    parameter SHIFT = 0,
    parameter BITS = 16,
    parameter ROWS = 2,
    parameter ROW_BITS = 1,
    parameter FILE = ""
) (
    input wire clk,
    input wire [ROW_BITS-1:0] row,
    input wire signed [V_BITS-1:0] v,
    output reg [LANES*BITS-1:0] delta
);
  localparam WIDE = BITS + WEIGHT_BITS + V_BITS + SHIFT;
  reg [LANES*WEIGHT_BITS-1:0] weights[0:ROWS-1];
  reg [LANES*WEIGHT_BITS-1:0] word;
  /* verilator lint_off UNUSED */
  reg signed [V_BITS-1:0] v1;
  /* verilator lint_on UNUSED */
  initial $readmemh(FILE, weights);
  always @(posedge clk) begin
    word <= weights[row];
    v1 <= v;
  end
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
      always @(posedge clk) delta[BITS*lane+:BITS] <= shifted[BITS-1:0];
    end
  endgenerate
endmodule
