// Pancakes flipped in every order of the first ten numbers: the Benchmarks Game's fannkuch.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn flips(order: []const usize, work: []usize) i64 {
    @memcpy(work, order);
    var count: i64 = 0;
    while (work[0] != 0) : (count += 1) {
        var low: usize = 0;
        var high = work[0];
        while (low < high) {
            std.mem.swap(usize, &work[low], &work[high]);
            low += 1;
            high -= 1;
        }
    }
    return count;
}

fn fannkuch(n: usize, checksum: *i64, most: *i64) !void {
    const order, const work, const turns = .{ try gpa.alloc(usize, n), try gpa.alloc(usize, n), try gpa.alloc(usize, n) };
    for (order, 0..) |*it, i| it.* = i;
    var even = true;
    var r = n;
    while (true) {
        while (r != 1) : (r -= 1) turns[r - 1] = r;
        const count = flips(order, work);
        most.* = @max(most.*, count);
        checksum.* += if (even) count else -count;
        even = !even;
        while (true) {
            if (r == n) return;
            const first = order[0];
            for (0..r) |i| order[i] = order[i + 1];
            order[r] = first;
            turns[r] -= 1;
            if (turns[r] > 0) break;
            r += 1;
        }
    }
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var checksum: i64 = 0;
    var most: i64 = 0;
    try fannkuch(10, &checksum, &most);
    try out.print("{d} {d}\n", .{ checksum, most });
    try out.flush();
}
