// A million points are sorted by a function with a context: nearest to a place first, of equally near ones the
// first made.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Point = struct {
    x: i64,
    y: i64,
    id: i64,

    fn distance(p: Point, from: Place) i64 {
        return (p.x - from.x) * (p.x - from.x) + (p.y - from.y) * (p.y - from.y);
    }
};

const Place = struct { x: i64, y: i64 };

fn before(from: Place, a: Point, b: Point) bool {
    const da, const db = .{ a.distance(from), b.distance(from) };
    return if (da == db) a.id < b.id else da < db;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var points: std.ArrayList(Point) = .empty;
    var seed: u64 = 5;
    for (0..1_000_000) |id| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        try points.append(gpa, .{
            .x = @intCast((seed >> 33) % 1000),
            .y = @intCast((seed >> 48) % 1000),
            .id = @intCast(id),
        });
    }
    var round: i64 = 0;
    while (round < 2) : (round += 1) {
        std.mem.sort(Point, points.items, Place{ .x = 500 - round * 300, .y = 200 + round * 100 }, before);
        var check: i64 = 0;
        for (points.items) |point| check = @mod(check * 31 + point.id, 1_000_003);
        try out.print("{d}\n", .{check});
    }
    try out.flush();
}
