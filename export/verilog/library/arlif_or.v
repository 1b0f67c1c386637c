// The OR of spikes over windows: the first event of a time step under a window becomes an event of
// the window's place, the others become none. Two clocks for each pair of a path of the row and a
// path of the column; the bits are cleared behind the end of a step.
// A path is an entry of a memory: {hit, last, row or column of the window}.
module arlif_or #(
    parameter C_BITS = 1,
    parameter Y_BITS = 1,
    parameter X_BITS = 1,
    parameter Y_PATH_BITS = 1,
    parameter X_PATH_BITS = 1,
    parameter TO_Y_BITS = 1,
    parameter TO_X_BITS = 1,
    parameter Y_FILE = "",
    parameter X_FILE = ""
) (
    input wire clk,
    input wire rst,
    input wire i_valid,
    input wire i_last,
    input wire [C_BITS-1:0] i_c,
    input wire [Y_BITS-1:0] i_y,
    input wire [X_BITS-1:0] i_x,
    output wire i_pop,
    output reg o_valid,
    output reg o_last,
    output reg [C_BITS-1:0] o_c,
    output reg [TO_Y_BITS-1:0] o_y,
    output reg [TO_X_BITS-1:0] o_x,
    input wire o_pop
);
  localparam BITS = TO_Y_BITS + TO_X_BITS + C_BITS;
  localparam CLEAR = 2'd0, LOOK = 2'd1, CHECK = 2'd2;
  reg [TO_Y_BITS+1:0] rows[0:(1<<(Y_BITS+Y_PATH_BITS))-1];
  reg [TO_X_BITS+1:0] columns[0:(1<<(X_BITS+X_PATH_BITS))-1];
  initial $readmemh(Y_FILE, rows);
  initial $readmemh(X_FILE, columns);
  (* no_rw_check *)reg seen[0:(1<<BITS)-1];
  reg found;
  reg [1:0] phase;
  reg [BITS-1:0] cleared;
  reg [Y_PATH_BITS-1:0] ty;
  reg [X_PATH_BITS-1:0] tx;
  wire [TO_Y_BITS+1:0] row = rows[{i_y, ty}];
  wire [TO_X_BITS+1:0] column = columns[{i_x, tx}];
  wire [BITS-1:0] place = {row[TO_Y_BITS-1:0], column[TO_X_BITS-1:0], i_c};
  wire hit = row[TO_Y_BITS+1] && column[TO_X_BITS+1];
  wire column_ends = column[TO_X_BITS];
  wire ends = !hit || (column_ends && row[TO_Y_BITS]);
  wire free = !o_valid || o_pop;
  wire look = phase == LOOK && i_valid && free;
  wire step_ends = look && i_last;
  wire fresh = phase == CHECK && hit && !found;
  assign i_pop = step_ends || (phase == CHECK && ends);
  always @(posedge clk) begin
    found <= seen[place];
    if (fresh || phase == CLEAR) seen[phase==CLEAR?cleared : place] <= fresh;
    if (o_pop) o_valid <= 0;
    if (step_ends || fresh) begin
      o_valid <= 1;
      o_last <= step_ends;
      o_c <= i_c;
      o_y <= row[TO_Y_BITS-1:0];
      o_x <= column[TO_X_BITS-1:0];
    end
    case (phase)
      CLEAR: begin
        cleared <= cleared + 1'b1;
        if (cleared == {BITS{1'b1}}) phase <= LOOK;
      end
      LOOK: if (look) phase <= i_last ? CLEAR : CHECK;
      default: begin
        phase <= LOOK;
        tx <= ends || column_ends ? {X_PATH_BITS{1'b0}} : tx + 1'b1;
        if (ends) ty <= 0;
        else if (column_ends) ty <= ty + 1'b1;
      end
    endcase
    if (rst) begin
      phase <= CLEAR;
      cleared <= 0;
      ty <= 0;
      tx <= 0;
      o_valid <= 0;
    end
  end
endmodule
