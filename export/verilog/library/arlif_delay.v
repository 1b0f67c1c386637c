// A queue whose words count DELAY time steps later. A sample's first DELAY steps are empty: each is a
// word with `last` that nobody sent, once the sample has begun. What is sent in its last DELAY steps
// is dropped.
// It holds all that DELAY + 1 steps can send, so nobody waits for what comes later (LOG_DEPTH).
module arlif_delay #(
    parameter WIDTH = 8,
    parameter LOG_DEPTH = 4,
    parameter MARGIN = 1,
    parameter DELAY = 1,
    parameter STEPS = 2,
    parameter COUNT_BITS = 2,
    parameter STYLE = "auto"
) (
    input wire clk,
    input wire rst,
    input wire begins,
    input wire push,
    input wire [WIDTH-1:0] data,
    output wire room,
    output wire valid,
    output wire [WIDTH-1:0] head,
    input wire pop
);
  localparam LAST = STEPS - 1, KEPT = DELAY < STEPS ? STEPS - DELAY : 0;
  reg [COUNT_BITS-1:0] sent, taken;
  // Samples that have begun and not ended here.
  reg [15:0] open;
  wire kept = sent < KEPT[COUNT_BITS-1:0];
  wire early = taken < DELAY[COUNT_BITS-1:0] && open != 16'd0;
  wire step_ends = pop && head[WIDTH-1];
  wire sample_ends = step_ends && taken == LAST[COUNT_BITS-1:0];
  wire held;
  wire [WIDTH-1:0] word;
  assign valid = early || held;
  assign head = early ? {1'b1, {(WIDTH - 1) {1'b0}}} : word;
  arlif_fifo #(
      .WIDTH(WIDTH),
      .LOG_DEPTH(LOG_DEPTH),
      .MARGIN(MARGIN),
      .STYLE(STYLE)
  ) queue (
      .clk(clk),
      .rst(rst),
      .push(push && kept),
      .data(data),
      .room(room),
      .valid(held),
      .head(word),
      .pop(pop && !early)
  );
  always @(posedge clk) begin
    if (rst) begin
      sent <= 0;
      taken <= 0;
      open <= 0;
    end else begin
      if (push && data[WIDTH-1])
        sent <= sent == LAST[COUNT_BITS-1:0] ? {COUNT_BITS{1'b0}} : sent + 1'b1;
      if (step_ends) taken <= sample_ends ? {COUNT_BITS{1'b0}} : taken + 1'b1;
      if (begins != sample_ends) open <= begins ? open + 1'b1 : open - 1'b1;
    end
  end
endmodule
