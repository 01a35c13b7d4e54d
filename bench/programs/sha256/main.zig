// SHA-256 of thirty-two megabytes.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const constants = [64]u32{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

const Sha256 = struct {
    state: [8]u32 = .{
        0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    },

    fn turn(x: u32, comptime n: u32) u32 {
        return std.math.rotr(u32, x, n);
    }

    // Takes in 64 bytes.
    fn block(sha: *Sha256, data: []const u8) void {
        var w: [64]u32 = undefined;
        for (0..16) |i| w[i] = std.mem.readInt(u32, data[i * 4 ..][0..4], .big);
        for (16..64) |i| {
            const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >> 3);
            const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >> 10);
            w[i] = w[i - 16] +% s0 +% w[i - 7] +% s1;
        }
        var a, var b, var c, var d, var e, var f, var g, var h = sha.state;
        for (0..64) |i| {
            const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
            const t1 = h +% s1 +% ((e & f) ^ (~e & g)) +% constants[i] +% w[i];
            const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
            const t2 = s0 +% ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d +% t1;
            d = c;
            c = b;
            b = a;
            a = t1 +% t2;
        }
        for (&sha.state, [_]u32{ a, b, c, d, e, f, g, h }) |*old, new| old.* +%= new;
    }
};

fn sha256(data: []const u8) !Sha256 {
    var sha: Sha256 = .{};
    const whole = data.len / 64 * 64;
    var at: usize = 0;
    while (at < whole) : (at += 64) sha.block(data[at..][0..64]);
    var rest: std.ArrayList(u8) = .empty;
    defer rest.deinit(gpa);
    try rest.appendSlice(gpa, data[whole..]);
    try rest.append(gpa, 0x80);
    while (rest.items.len % 64 != 56) try rest.append(gpa, 0);
    var size: [8]u8 = undefined;
    std.mem.writeInt(u64, &size, data.len * 8, .big);
    try rest.appendSlice(gpa, &size);
    at = 0;
    while (at < rest.items.len) : (at += 64) sha.block(rest.items[at..][0..64]);
    return sha;
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var data: std.ArrayList(u8) = .empty;
    var seed: u64 = 1;
    for (0..32_000_000) |_| {
        seed = seed *% 6364136223846793005 +% 1442695040888963407;
        try data.append(gpa, @intCast(seed >> 56));
    }
    for ((try sha256(data.items)).state) |x| try out.print("{x:0>8}", .{x});
    try out.print("\n", .{});
    try out.flush();
}
