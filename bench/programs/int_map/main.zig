// A map from integers: three million insertions and changes, then as many look-ups.
const std = @import("std");
const gpa = std.heap.smp_allocator;

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var counts: std.AutoHashMapUnmanaged(i64, i64) = .empty;
    var seed: u64 = 1;
    for (0..3_000_000) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        const found = try counts.getOrPutValue(gpa, @intCast((seed >> 40) % 500_000), 0);
        found.value_ptr.* += 1;
    }
    var found: i64 = 0;
    for (0..3_000_000) |key| found += counts.get(@intCast(key % 700_000)) orelse 0;
    try out.print("{d} {d}\n", .{ counts.count(), found });
    try out.flush();
}
