// Two matrices of floats are multiplied, row by row.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn float(n: i64) f64 {
    return @floatFromInt(n);
}

fn matrix(n: usize, seed: f64) ![][]f64 {
    const rows = try gpa.alloc([]f64, n);
    for (rows, 0..) |*row, i| {
        row.* = try gpa.alloc(f64, n);
        for (row.*, 0..) |*it, j| {
            const a: i64, const b: i64 = .{ @intCast(i), @intCast(j) };
            it.* = seed * float(a - b) * float(a + b);
        }
    }
    return rows;
}

fn multiply(a: [][]f64, b: [][]f64) ![][]f64 {
    const n = a.len;
    const out = try gpa.alloc([]f64, n);
    for (0..n) |i| {
        const row = try gpa.alloc(f64, n);
        @memset(row, 0.0);
        for (0..n) |k| {
            const x, const from = .{ a[i][k], b[k] };
            for (0..n) |j| row[j] += x * from[j];
        }
        out[i] = row;
    }
    return out;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const n = 900;
    const c = try multiply(try matrix(n, 1.0 / float(n)), try matrix(n, 2.0 / float(n)));
    try out.print("{d:.6}\n", .{c[n / 2][n / 2]});
    try out.flush();
}
