// Runs a layer: clears the sums after a reset, gathers the events of all sources, then issues the
// neurons, one a clock, channels before columns before rows, and tells the targets that the time
// step has ended.
// Of the sources that have events the first is served, so that none can hold up another until the
// end of a step. The first STILL of them send one frame for all steps of a sample, whose sums
// are kept until its last sweep. GATHERS: ends of steps per sweep (a readout: all of a sample).
// STEPS: sweeps of a sample.
module arlif_sweep #(
    parameter SOURCES = 1,
    parameter STILL = 0,
    parameter GATHERS = 1,
    parameter STEPS = 1,
    parameter COUNT_BITS = 1,
    parameter WORDS = 1,
    parameter ADDRESS_BITS = 1,
    parameter CHANNELS = 1,
    parameter CHANNEL_BITS = 1,
    parameter LANES = 1,
    parameter LANE_BITS = 1,
    parameter LATENCY = 1,
    parameter DRAIN_BITS = 4
) (
    input wire clk,
    input wire rst,
    input wire [SOURCES-1:0] offered,
    input wire [SOURCES-1:0] finished,
    output wire [SOURCES-1:0] active,
    input wire room,
    output wire sweeping,
    output reg [ADDRESS_BITS-1:0] address,
    output reg clear,
    output reg clear_still,
    output reg [ADDRESS_BITS-1:0] clear_address,
    output reg issued,
    output reg [LANE_BITS-1:0] lane,
    output wire first,
    output wire [COUNT_BITS-1:0] step,
    output wire ended
);
  localparam CLEAR = 3'd0, GATHER = 3'd1, SETTLE = 3'd2, SWEEP = 3'd3, DRAIN = 3'd4, END = 3'd5;
  localparam LAST_WORD = WORDS - 1, LAST_CHANNEL = CHANNELS - 1, LAST_LANE = LANES - 1;
  localparam LAST_GATHER = GATHERS - 1, LAST_STEP = STEPS - 1;
  localparam SETTLED = 3, DRAINED = LATENCY + 2;
  reg [2:0] phase;
  reg [DRAIN_BITS-1:0] waited;
  reg [COUNT_BITS-1:0] gathers, steps;
  reg [CHANNEL_BITS-1:0] channel;
  reg [LANE_BITS-1:0] next_lane;
  wire last_word = address == LAST_WORD[ADDRESS_BITS-1:0];
  wire last_channel = channel == LAST_CHANNEL[CHANNEL_BITS-1:0];
  wire last_lane = last_channel || next_lane == LAST_LANE[LANE_BITS-1:0];
  wire last_gather = gathers == LAST_GATHER[COUNT_BITS-1:0];
  wire last_step = steps == LAST_STEP[COUNT_BITS-1:0];
  wire issue = phase == SWEEP && room;
  // done: the sources whose time step has ended.
  reg [SOURCES-1:0] done;
  wire [SOURCES-1:0] pending = phase == GATHER ? offered & ~done : {SOURCES{1'b0}};
  wire [SOURCES-1:0] next_done = done | finished;
  wire all_finished = next_done == {SOURCES{1'b1}};
  localparam [SOURCES-1:0] ONE = 1, ALL = {SOURCES{1'b1}};
  localparam [SOURCES-1:0] KEPT = STILL < SOURCES ? ~(ALL << STILL) : {SOURCES{1'b0}};
  assign active = pending & (~pending + ONE);
  assign sweeping = phase == SWEEP;
  assign step = steps;
  assign first = steps == {COUNT_BITS{1'b0}};
  assign ended = phase == END && room;

  always @(posedge clk) begin
    issued <= issue && !rst;
    lane <= next_lane;
    clear <= phase == CLEAR || (issue && last_lane);
    clear_still <= phase == CLEAR || (issue && last_lane && last_step);
    clear_address <= address;
    waited <= waited + 1'b1;
    case (phase)
      CLEAR: begin
        address <= last_word ? {ADDRESS_BITS{1'b0}} : address + 1'b1;
        if (last_word) phase <= GATHER;
      end
      GATHER: begin
        waited <= 0;
        if (finished != {SOURCES{1'b0}}) begin
          done <= all_finished ? KEPT : next_done;
          if (all_finished) begin
            gathers <= last_gather ? {COUNT_BITS{1'b0}} : gathers + 1'b1;
            if (last_gather) phase <= SETTLE;
          end
        end
      end
      SETTLE: if (waited == SETTLED[DRAIN_BITS-1:0]) phase <= SWEEP;
      SWEEP: begin
        waited <= 0;
        if (issue) begin
          channel <= last_channel ? {CHANNEL_BITS{1'b0}} : channel + 1'b1;
          next_lane <= last_lane ? {LANE_BITS{1'b0}} : next_lane + 1'b1;
          if (last_lane) address <= last_word ? {ADDRESS_BITS{1'b0}} : address + 1'b1;
          if (last_word && last_channel) phase <= DRAIN;
        end
      end
      DRAIN: if (waited == DRAINED[DRAIN_BITS-1:0]) phase <= END;
      END:
      if (room) begin
        steps <= last_step ? {COUNT_BITS{1'b0}} : steps + 1'b1;
        if (last_step) done <= 0;
        phase <= STILL == SOURCES && !last_step ? SWEEP : GATHER;
      end
      default: phase <= CLEAR;
    endcase
    if (rst) begin
      phase <= CLEAR;
      done <= 0;
      address <= 0;
      channel <= 0;
      next_lane <= 0;
      gathers <= 0;
      steps <= 0;
    end
  end
endmodule
