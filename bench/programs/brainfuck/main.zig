// An interpreter of eight instructions on a tape of bytes, at work on nested loops that count, multiply and print.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Op = union(enum) {
    move: i64,
    add: i64,
    print,
    // Where the matching bracket stands.
    open: usize,
    close: usize,
};

// Runs of `+`, `-`, `<` and `>` become one instruction each.
fn parse(source: []const u8) ![]const Op {
    var ops: std.ArrayList(Op) = .empty;
    var opened: std.ArrayList(usize) = .empty;
    for (source) |c| switch (c) {
        '>' => try pushMove(&ops, 1),
        '<' => try pushMove(&ops, -1),
        '+' => try pushAdd(&ops, 1),
        '-' => try pushAdd(&ops, -1),
        '.' => try ops.append(gpa, .print),
        '[' => {
            try opened.append(gpa, ops.items.len);
            try ops.append(gpa, .{ .open = 0 });
        },
        ']' => {
            const start = opened.pop().?;
            ops.items[start] = .{ .open = ops.items.len };
            try ops.append(gpa, .{ .close = start });
        },
        else => {},
    };
    return ops.items;
}

fn pushMove(ops: *std.ArrayList(Op), by: i64) !void {
    if (ops.lastPtr()) |last| switch (last.*) {
        .move => |*n| {
            n.* += by;
            return;
        },
        else => {},
    };
    try ops.append(gpa, .{ .move = by });
}

fn pushAdd(ops: *std.ArrayList(Op), by: i64) !void {
    if (ops.lastPtr()) |last| switch (last.*) {
        .add => |*n| {
            n.* += by;
            return;
        },
        else => {},
    };
    try ops.append(gpa, .{ .add = by });
}

// What a program prints.
fn run(ops: []const Op) ![]const u8 {
    const tape = try gpa.alloc(u8, 30_000);
    @memset(tape, 0);
    var text: std.ArrayList(u8) = .empty;
    var head: i64 = 0;
    var at: usize = 0;
    while (at < ops.len) : (at += 1) {
        switch (ops[at]) {
            .move => |n| head += n,
            .add => |n| tape[@intCast(head)] +%= @truncate(@as(u64, @bitCast(n))),
            .print => try text.append(gpa, tape[@intCast(head)]),
            .open => |close| if (tape[@intCast(head)] == 0) {
                at = close;
            },
            .close => |open| if (tape[@intCast(head)] != 0) {
                at = open;
            },
        }
    }
    return text.items;
}

// The letters from the last to the first, each of which waits for loops in loops.
const program = ">++[<+++++++++++++>-]<[[>+>+<<-]>[<+>-]++++++++[>++++++++<-]>.[-]<<>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++[>++++++++++++++++++++++++++++++[-]<-]<-]<-]<-]<-]<-]++++++++++.";

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    try out.print("{s}", .{try run(try parse(program))});
    try out.flush();
}
