// Many small objects, made and given back.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Tree = struct {
    left: ?*Tree,
    right: ?*Tree,

    fn check(tree: *const Tree) i64 {
        var sum: i64 = 1;
        if (tree.left) |left| sum += left.check();
        if (tree.right) |right| sum += right.check();
        return sum;
    }

    fn drop(tree: *Tree) void {
        if (tree.left) |left| left.drop();
        if (tree.right) |right| right.drop();
        gpa.destroy(tree);
    }
};

fn make(depth: u6) !*Tree {
    const tree = try gpa.create(Tree);
    tree.* = if (depth == 0)
        .{ .left = null, .right = null }
    else
        .{ .left = try make(depth - 1), .right = try make(depth - 1) };
    return tree;
}

fn makeAndCheck(depth: u6) !i64 {
    const tree = try make(depth);
    defer tree.drop();
    return tree.check();
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    const least: u6 = 4;
    const most: u6 = 17;
    try out.print("stretch tree of depth {d} check: {d}\n", .{ most + 1, try makeAndCheck(most + 1) });
    const long_lived = try make(most);
    defer long_lived.drop();
    var depth = least;
    while (depth <= most) : (depth += 2) {
        const turns = @as(usize, 1) << (most - depth + least);
        var check: i64 = 0;
        for (0..turns) |_| check += try makeAndCheck(depth);
        try out.print("{d} trees of depth {d} check: {d}\n", .{ turns, depth, check });
    }
    try out.print("long lived tree of depth {d} check: {d}\n", .{ most, long_lived.check() });
    try out.flush();
}
