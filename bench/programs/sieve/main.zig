// Elements at their own width, nested loops.
const std = @import("std");
const gpa = std.heap.smp_allocator;

fn primesBelow(n: usize) !i64 {
    const composite = try gpa.alloc(bool, n);
    defer gpa.free(composite);
    @memset(composite, false);
    var count: i64 = 0;
    for (2..n) |i| {
        if (composite[i]) continue;
        count += 1;
        var k = i * i;
        while (k < n) : (k += i) composite[k] = true;
    }
    return count;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var total: i64 = 0;
    for (0..5) |round| total += try primesBelow(10_000_000 + round);
    try out.print("{d}\n", .{total});
    try out.flush();
}
