// Turns an event into updates, one a clock: every pair of a path of its row and a path of its
// column, and for each pair every block of LANES output channels that its channel feeds.
// A path is an entry of a memory: {hit, last, part of the accumulator's address, part of the
// weight's row}; the parts of row and column add up. Strides, padding, dilation and pools are in
// these memories alone. Channels of grouped maps: {last block, first block, weight row}.
module arlif_scatter #(
    parameter C_BITS = 1,
    parameter Y_BITS = 1,
    parameter X_BITS = 1,
    parameter V_BITS = 2,
    parameter Y_PATH_BITS = 1,
    parameter X_PATH_BITS = 1,
    parameter BLOCKS = 1,
    parameter BLOCK_BITS = 1,
    parameter GROUPED = 0,
    parameter ADDRESS_BITS = 1,
    parameter ROW_BITS = 1,
    parameter Y_FILE = "",
    parameter X_FILE = "",
    parameter C_FILE = ""
) (
    input wire clk,
    input wire rst,
    input wire active,
    input wire i_valid,
    input wire i_last,
    input wire [C_BITS-1:0] i_c,
    input wire [Y_BITS-1:0] i_y,
    input wire [X_BITS-1:0] i_x,
    input wire signed [V_BITS-1:0] i_v,
    output wire i_pop,
    output wire finished,
    output reg o_valid,
    output reg [ADDRESS_BITS-1:0] o_address,
    output reg [ROW_BITS-1:0] o_row,
    output reg signed [V_BITS-1:0] o_v
);
  localparam PARTS = ADDRESS_BITS + ROW_BITS;
  reg [PARTS+1:0] rows[0:(1<<(Y_BITS+Y_PATH_BITS))-1];
  reg [PARTS+1:0] columns[0:(1<<(X_BITS+X_PATH_BITS))-1];
  initial $readmemh(Y_FILE, rows);
  initial $readmemh(X_FILE, columns);

  reg [Y_PATH_BITS-1:0] ty;
  reg [X_PATH_BITS-1:0] tx;
  reg [BLOCK_BITS-1:0] block;
  wire [PARTS+1:0] row = rows[{i_y, ty}];
  wire [PARTS+1:0] column = columns[{i_x, tx}];
  wire [BLOCK_BITS-1:0] last_block, first_block;
  wire [ROW_BITS-1:0] base;
  generate
    if (GROUPED != 0) begin : per_channel
      reg [2*BLOCK_BITS+ROW_BITS-1:0] channels[0:(1<<C_BITS)-1];
      initial $readmemh(C_FILE, channels);
      assign {last_block, first_block, base} = channels[i_c];
    end else begin : in_order
      localparam LAST_BLOCK = BLOCKS - 1;
      localparam WIDE = C_BITS + BLOCK_BITS + 1;
      wire [WIDE-1:0] product = {{(WIDE - C_BITS) {1'b0}}, i_c} * BLOCKS[WIDE-1:0];
      /* verilator lint_off UNUSED */
      wire [WIDE+ROW_BITS-1:0] extended = {{ROW_BITS{1'b0}}, product};
      /* verilator lint_on UNUSED */
      assign last_block = LAST_BLOCK[BLOCK_BITS-1:0];
      assign first_block = {BLOCK_BITS{1'b0}};
      assign base = extended[ROW_BITS-1:0];
    end
  endgenerate

  wire hit = row[PARTS+1] && column[PARTS+1];
  wire block_ends = block == last_block;
  wire column_ends = column[PARTS];
  wire ends = !hit || (block_ends && column_ends && row[PARTS]);
  wire taken = active && i_valid;
  assign i_pop = taken && (i_last || ends);
  assign finished = taken && i_last;

  always @(posedge clk) begin
    if (rst || (taken && ends)) begin
      ty <= 0;
      tx <= 0;
      block <= 0;
    end else if (taken && !i_last) begin
      block <= block_ends ? {BLOCK_BITS{1'b0}} : block + 1'b1;
      if (block_ends) begin
        tx <= column_ends ? {X_PATH_BITS{1'b0}} : tx + 1'b1;
        if (column_ends) ty <= ty + 1'b1;
      end
    end
  end

  // The parts are added in two clocks.
  localparam A_PAD = ADDRESS_BITS + BLOCK_BITS;
  localparam R_PAD = ROW_BITS + BLOCK_BITS;
  /* verilator lint_off UNUSED */
  wire [A_PAD-1:0] block_address = {{ADDRESS_BITS{1'b0}}, first_block + block};
  /* verilator lint_on UNUSED */
  /* verilator lint_off UNUSED */
  wire [R_PAD-1:0] block_row = {{ROW_BITS{1'b0}}, block};
  /* verilator lint_on UNUSED */
  reg valid1;
  reg signed [V_BITS-1:0] v1;
  reg [ADDRESS_BITS-1:0] address1, address2;
  reg [ROW_BITS-1:0] row1, row2;
  always @(posedge clk) begin
    valid1 <= taken && !i_last && hit && !rst;
    v1 <= i_v;
    address1 <= row[PARTS-1:ROW_BITS] + column[PARTS-1:ROW_BITS];
    row1 <= row[ROW_BITS-1:0] + column[ROW_BITS-1:0];
    address2 <= block_address[ADDRESS_BITS-1:0];
    row2 <= base + block_row[ROW_BITS-1:0];
    o_valid <= valid1 && !rst;
    o_v <= v1;
    o_address <= address1 + address2;
    o_row <= row1 + row2;
  end
endmodule
