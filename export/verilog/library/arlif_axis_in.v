// AXI-stream to events. A beat adds `value` to the input at (c, y, x) of this time step; value 0
// adds nothing. tlast: this beat is the step's last. Values are clamped to LOW ... HIGH; places
// outside the input's shape are dropped. `begins` tells the first event or end of step of a sample,
// which has FRAMES steps of input.
module arlif_axis_in #(
    parameter CHANNELS = 1,
    parameter HEIGHT = 1,
    parameter WIDTH = 1,
    parameter C_BITS = 1,
    parameter Y_BITS = 1,
    parameter X_BITS = 1,
    parameter LOW = -127,
    parameter HIGH = 127,
    parameter FRAMES = 1,
    parameter FRAME_BITS = 1
) (
    input wire clk,
    input wire rst,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire [C_BITS+Y_BITS+X_BITS+8:0] s_axis_tdata,
    input wire s_axis_tlast,
    input wire room,
    output wire push,
    output wire begins,
    output wire last,
    output wire [C_BITS-1:0] c,
    output wire [Y_BITS-1:0] y,
    output wire [X_BITS-1:0] x,
    output wire signed [8:0] v
);
  wire signed [8:0] given;
  assign {c, y, x, given} = s_axis_tdata;
  wire signed [8:0] low = LOW[8:0], high = HIGH[8:0];
  assign v = given < low ? low : given > high ? high : given;
  wire inside_shape = {1'b0, c} < CHANNELS[C_BITS:0] && {1'b0, y} < HEIGHT[Y_BITS:0]
      && {1'b0, x} < WIDTH[X_BITS:0];
  wire event_here = v != 9'sd0 && inside_shape;
  // A last beat that is an event takes two clocks: the event, then the end of the step.
  reg told;
  assign last = s_axis_tlast && (told || !event_here);
  assign push = s_axis_tvalid && room && (event_here || last);
  assign s_axis_tready = room && (!s_axis_tlast || last);
  localparam LAST_FRAME = FRAMES - 1;
  reg begun;
  reg [FRAME_BITS-1:0] frame;
  wire sample_ends = last && frame == LAST_FRAME[FRAME_BITS-1:0];
  assign begins = push && !begun;
  always @(posedge clk) begin
    if (rst) begin
      told <= 0;
      begun <= 0;
      frame <= 0;
    end else begin
      if (s_axis_tvalid && room) told <= s_axis_tlast && !last;
      if (push) begun <= !sample_ends;
      if (push && last) frame <= sample_ends ? {FRAME_BITS{1'b0}} : frame + 1'b1;
    end
  end
endmodule
