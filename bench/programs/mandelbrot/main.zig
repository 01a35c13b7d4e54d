// How many points of a grid stay near zero for 100 steps.
const std = @import("std");

fn stays(cr: f64, ci: f64) bool {
    var zr: f64 = 0.0;
    var zi: f64 = 0.0;
    for (0..100) |_| {
        const r, const i = .{ zr * zr, zi * zi };
        if (r + i > 4.0) return false;
        zi = 2.0 * zr * zi + ci;
        zr = r - i + cr;
    }
    return true;
}

fn float(n: i64) f64 {
    return @floatFromInt(n);
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const n: i64 = 1600;
    var inside: i64 = 0;
    var y: i64 = 0;
    while (y < n) : (y += 1) {
        var x: i64 = 0;
        while (x < n) : (x += 1) {
            const cr = 3.0 * float(x) / float(n) - 2.0;
            const ci = 2.0 * float(y) / float(n) - 1.0;
            if (stays(cr, ci)) inside += 1;
        }
    }
    try out.print("{d}\n", .{inside});
    try out.flush();
}
