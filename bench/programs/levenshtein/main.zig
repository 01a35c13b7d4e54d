// The edit distance of two long rows of bytes.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn distance(a: []const u8, b: []const u8) !i64 {
    const before = try gpa.alloc(i64, b.len + 1);
    for (before, 0..) |*it, i| it.* = @intCast(i);
    for (0..a.len) |i| {
        var diagonal = before[0];
        before[0] = @intCast(i + 1);
        for (0..b.len) |j| {
            const cost: i64 = if (a[i] == b[j]) 0 else 1;
            const best = @min(diagonal + cost, before[j] + 1, before[j + 1] + 1);
            diagonal = before[j + 1];
            before[j + 1] = best;
        }
    }
    return before[b.len];
}

fn bytesOf(n: usize, start: u64) ![]u8 {
    var bytes: std.ArrayList(u8) = .empty;
    var seed = start;
    for (0..n) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        try bytes.append(gpa, @intCast(seed >> 60));
    }
    return bytes.items;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    try out.print("{d}\n", .{try distance(try bytesOf(10_000, 1), try bytesOf(9_000, 2))});
    try out.flush();
}
