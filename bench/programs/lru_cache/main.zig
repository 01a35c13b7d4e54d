// A cache that forgets what was used longest ago: a map for finding, a doubly linked list for the order.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const nowhere = std.math.maxInt(usize);

const Node = struct { key: i64, value: i64, before: usize = nowhere, after: usize = nowhere };

const LruCache = struct {
    capacity: usize,
    nodes: std.ArrayList(Node) = .empty,
    places: std.AutoHashMapUnmanaged(i64, usize) = .empty,
    newest: usize = nowhere,
    oldest: usize = nowhere,

    fn get(cache: *LruCache, key: i64) ?i64 {
        const place = cache.places.get(key) orelse return null;
        cache.touch(place);
        return cache.nodes.items[place].value;
    }

    fn put(cache: *LruCache, key: i64, value: i64) !void {
        if (cache.places.get(key)) |place| {
            cache.nodes.items[place].value = value;
            cache.touch(place);
            return;
        }
        var place = cache.nodes.items.len;
        if (place < cache.capacity) {
            try cache.nodes.append(gpa, .{ .key = key, .value = value });
        } else {
            place = cache.oldest;
            cache.unlink(place);
            const node = &cache.nodes.items[place];
            _ = cache.places.remove(node.key);
            node.key = key;
            node.value = value;
        }
        try cache.places.put(gpa, key, place);
        cache.link(place);
    }

    // Makes a node the newest.
    fn touch(cache: *LruCache, place: usize) void {
        if (place == cache.newest) return;
        cache.unlink(place);
        cache.link(place);
    }

    fn link(cache: *LruCache, place: usize) void {
        const node = &cache.nodes.items[place];
        node.before = nowhere;
        node.after = cache.newest;
        if (cache.newest != nowhere) cache.nodes.items[cache.newest].before = place;
        cache.newest = place;
        if (cache.oldest == nowhere) cache.oldest = place;
    }

    fn unlink(cache: *LruCache, place: usize) void {
        const node = cache.nodes.items[place];
        if (node.before == nowhere) {
            cache.newest = node.after;
        } else {
            cache.nodes.items[node.before].after = node.after;
        }
        if (node.after == nowhere) {
            cache.oldest = node.before;
        } else {
            cache.nodes.items[node.after].before = node.before;
        }
    }
};

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var cache: LruCache = .{ .capacity = 50_000 };
    var hits: i64 = 0;
    var sum: i64 = 0;
    var seed: u64 = 9;
    for (0..6_000_000) |i| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        // Small keys are asked for more often.
        const a, const b = .{ (seed >> 40) % 400, (seed >> 20) % 400 };
        const key: i64 = @intCast(a * b);
        if (cache.get(key)) |value| {
            hits += 1;
            sum = @mod(sum + value, 1_000_003);
        } else {
            try cache.put(key, @intCast(i));
        }
    }
    try out.print("{d} {d} {d}\n", .{ cache.places.count(), hits, sum });
    try out.flush();
}
