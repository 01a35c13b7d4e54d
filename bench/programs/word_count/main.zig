// A text of words is made, cut at its spaces and counted in a map.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn textOf(words: usize) ![]const u8 {
    var text: std.ArrayList(u8) = .empty;
    var seed: u64 = 42;
    for (0..words) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        const n = (seed >> 33) % 5000;
        try text.print(gpa, "w{d} ", .{n * n / 5000});
    }
    return text.items;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var counts: std.StringHashMapUnmanaged(i64) = .empty;
    var words = std.mem.splitScalar(u8, try textOf(5_000_000), ' ');
    while (words.next()) |word| {
        if (word.len == 0) continue;
        const found = try counts.getOrPut(gpa, word);
        if (!found.found_existing) {
            found.key_ptr.* = try gpa.dupe(u8, word);
            found.value_ptr.* = 0;
        }
        found.value_ptr.* += 1;
    }
    var most: []const u8 = "";
    var top: i64 = 0;
    var entries = counts.iterator();
    while (entries.next()) |entry| {
        if (entry.value_ptr.* > top) {
            top = entry.value_ptr.*;
            most = entry.key_ptr.*;
        }
    }
    try out.print("{d} words, the most frequent is {s} with {d}\n", .{ counts.count(), most, top });
    try out.flush();
}
