// Logits to AXI-stream, one class a beat, tlast at the last class. tuser: the largest logit's class
// so far, the first of equals; at tlast it is the decision.
module arlif_axis_out #(
    parameter CLASS_BITS = 1,
    parameter BITS = 32,
    parameter LOG_DEPTH = 4,
    parameter MARGIN = 4,
    parameter CLASSES = 2,
    parameter STYLE = "auto"
) (
    input wire clk,
    input wire rst,
    input wire push,
    input wire signed [BITS-1:0] logit,
    output wire room,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire signed [BITS-1:0] m_axis_tdata,
    output wire [CLASS_BITS-1:0] m_axis_tuser,
    output wire m_axis_tlast
);
  localparam LAST = CLASSES - 1;
  reg [CLASS_BITS-1:0] number, best;
  reg signed [BITS-1:0] largest;
  wire better = number == {CLASS_BITS{1'b0}} || logit > largest;
  wire [CLASS_BITS-1:0] now = better ? number : best;
  wire ends = number == LAST[CLASS_BITS-1:0];
  always @(posedge clk) begin
    if (rst) number <= 0;
    else if (push) begin
      number <= ends ? {CLASS_BITS{1'b0}} : number + 1'b1;
      best <= now;
      if (better) largest <= logit;
    end
  end
  arlif_fifo #(
      .WIDTH(BITS + CLASS_BITS + 1),
      .LOG_DEPTH(LOG_DEPTH),
      .MARGIN(MARGIN),
      .STYLE(STYLE)
  ) queue (
      .clk(clk),
      .rst(rst),
      .push(push),
      .data({ends, now, logit}),
      .room(room),
      .valid(m_axis_tvalid),
      .head({m_axis_tlast, m_axis_tuser, m_axis_tdata}),
      .pop(m_axis_tready)
  );
endmodule
