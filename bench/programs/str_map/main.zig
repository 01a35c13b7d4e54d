// A map from strings: two million changes of 200,000 keys, then as many look-ups.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn keysOf(n: usize, word: []const u8) ![][]const u8 {
    const keys = try gpa.alloc([]const u8, n);
    for (keys, 0..) |*key, i| key.* = try std.fmt.allocPrint(gpa, "{s}{d}", .{ word, i });
    return keys;
}

fn advance(seed: u64) u64 {
    return seed *% 6364136223846793005 +% 1442695040888963407;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const known, const unknown = .{ try keysOf(200_000, "known key "), try keysOf(50_000, "unknown key ") };
    var counts: std.StringHashMapUnmanaged(i64) = .empty;
    var seed: u64 = 1;
    for (0..2_000_000) |_| {
        seed = advance(seed);
        const found = try counts.getOrPutValue(gpa, known[(seed >> 40) % 200_000], 0);
        found.value_ptr.* += 1;
    }
    var found: i64 = 0;
    for (0..2_000_000) |i| {
        seed = advance(seed);
        const at = (seed >> 40) % 250_000;
        const key = if (at < 200_000) known[at] else unknown[at - 200_000];
        found += (counts.get(key) orelse 0) * @as(i64, @intCast(i % 7));
    }
    try out.print("{d} {d}\n", .{ counts.count(), found });
    try out.flush();
}
