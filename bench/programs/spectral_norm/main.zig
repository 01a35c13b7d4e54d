// The spectral norm of an infinite matrix, cut off: the Benchmarks Game's.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn entry(i: usize, j: usize) f64 {
    return 1.0 / @as(f64, @floatFromInt((i + j) * (i + j + 1) / 2 + i + 1));
}

fn times(v: []const f64, out: []f64) void {
    for (0..v.len) |i| {
        var sum: f64 = 0.0;
        for (0..v.len) |j| sum += entry(i, j) * v[j];
        out[i] = sum;
    }
}

fn timesTransposed(v: []const f64, out: []f64) void {
    for (0..v.len) |i| {
        var sum: f64 = 0.0;
        for (0..v.len) |j| sum += entry(j, i) * v[j];
        out[i] = sum;
    }
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const n = 2000;
    const u, const v, const t = .{ try gpa.alloc(f64, n), try gpa.alloc(f64, n), try gpa.alloc(f64, n) };
    @memset(u, 1.0);
    for (0..10) |_| {
        times(u, t);
        timesTransposed(t, v);
        times(v, t);
        timesTransposed(t, u);
    }
    var vbv: f64 = 0.0;
    var vv: f64 = 0.0;
    for (0..n) |i| {
        vbv += u[i] * v[i];
        vv += v[i] * v[i];
    }
    try out.print("{d:.9}\n", .{@sqrt(vbv / vv)});
    try out.flush();
}
