// Two million integers are sorted by merging, written out.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn sort(v: []i64, work: []i64, from: usize, to: usize) void {
    if (to - from < 2) return;
    const middle = (from + to) / 2;
    sort(v, work, from, middle);
    sort(v, work, middle, to);
    var a = from;
    var b = middle;
    for (from..to) |i| {
        if (a < middle and (b >= to or v[a] <= v[b])) {
            work[i] = v[a];
            a += 1;
        } else {
            work[i] = v[b];
            b += 1;
        }
    }
    for (from..to) |i| v[i] = work[i];
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const n = 2_000_000;
    var v: std.ArrayList(i64) = .empty;
    var seed: u64 = 7;
    for (0..n) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        try v.append(gpa, @intCast(seed >> 34));
    }
    const work = try gpa.alloc(i64, n);
    sort(v.items, work, 0, n);
    var check: i64 = 0;
    for (v.items) |x| check = @mod(check * 31 + x, 1_000_003);
    try out.print("{d}\n", .{check});
    try out.flush();
}
