// In how many ways thirteen queens stand on a board without seeing each other.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn place(row: usize, n: usize, columns: []bool, rising: []bool, falling: []bool) i64 {
    if (row == n) return 1;
    var ways: i64 = 0;
    for (0..n) |c| {
        if (!(columns[c] or rising[row + c] or falling[row + n - c])) {
            columns[c] = true;
            rising[row + c] = true;
            falling[row + n - c] = true;
            ways += place(row + 1, n, columns, rising, falling);
            columns[c] = false;
            rising[row + c] = false;
            falling[row + n - c] = false;
        }
    }
    return ways;
}

fn board(n: usize) ![]bool {
    const free = try gpa.alloc(bool, n);
    @memset(free, false);
    return free;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const n = 13;
    try out.print("{d}\n", .{place(0, n, try board(n), try board(n * 2), try board(n * 2))});
    try out.flush();
}
