// The place of the neuron that leaves the pipeline: channels before columns before rows.
module arlif_walk #(
    parameter CHANNELS = 1,
    parameter HEIGHT = 1,
    parameter WIDTH = 1,
    parameter C_BITS = 1,
    parameter Y_BITS = 1,
    parameter X_BITS = 1
) (
    input wire clk,
    input wire rst,
    input wire advance,
    output reg [C_BITS-1:0] c,
    output reg [Y_BITS-1:0] y,
    output reg [X_BITS-1:0] x
);
  localparam LAST_C = CHANNELS - 1, LAST_Y = HEIGHT - 1, LAST_X = WIDTH - 1;
  wire c_ends = c == LAST_C[C_BITS-1:0];
  wire x_ends = x == LAST_X[X_BITS-1:0];
  wire y_ends = y == LAST_Y[Y_BITS-1:0];
  always @(posedge clk) begin
    if (rst) begin
      c <= 0;
      y <= 0;
      x <= 0;
    end else if (advance) begin
      c <= c_ends ? {C_BITS{1'b0}} : c + 1'b1;
      if (c_ends) x <= x_ends ? {X_BITS{1'b0}} : x + 1'b1;
      if (c_ends && x_ends) y <= y_ends ? {Y_BITS{1'b0}} : y + 1'b1;
    end
  end
endmodule
