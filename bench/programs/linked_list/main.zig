// A linked list: made, turned around, summed, thinned out and given back.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Node = struct { value: i64, next: ?*Node };

const List = struct {
    head: ?*Node = null,

    fn push(list: *List, value: i64) !void {
        const node = try gpa.create(Node);
        node.* = .{ .value = value, .next = list.head };
        list.head = node;
    }

    fn reverse(list: *List) void {
        var done: ?*Node = null;
        var rest = list.head;
        while (rest) |node| {
            rest = node.next;
            node.next = done;
            done = node;
        }
        list.head = done;
    }

    // Takes out what a number divides.
    fn removeMultiples(list: *List, of: i64) void {
        var at = &list.head;
        while (at.*) |node| {
            if (@rem(node.value, of) == 0) {
                at.* = node.next;
                gpa.destroy(node);
            } else {
                at = &node.next;
            }
        }
    }

    fn sum(list: List) i64 {
        var total: i64 = 0;
        var at = list.head;
        while (at) |node| : (at = node.next) total += node.value;
        return total;
    }

    fn drop(list: *List) void {
        var at = list.head;
        while (at) |node| {
            at = node.next;
            gpa.destroy(node);
        }
    }
};

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var total: i64 = 0;
    var list: List = .{};
    defer list.drop();
    for (0..1_000_000) |i| try list.push(@intCast(i));
    for (0..25) |_| {
        list.reverse();
        total += list.sum();
    }
    list.removeMultiples(3);
    total += list.sum();
    list.removeMultiples(5);
    total += list.sum();
    try out.print("{d}\n", .{total});
    try out.flush();
}
