// Floating point over objects reached by pointers.
const std = @import("std");
const gpa = std.heap.smp_allocator;

const Body = struct { x: f64, y: f64, z: f64, vx: f64, vy: f64, vz: f64, mass: f64 };

const pi = 3.141592653589793;
const solar_mass = 4.0 * pi * pi;
const days = 365.24;

fn planet(x: f64, y: f64, z: f64, vx: f64, vy: f64, vz: f64, mass: f64) !*Body {
    const body = try gpa.create(Body);
    body.* = .{ .x = x, .y = y, .z = z, .vx = vx * days, .vy = vy * days, .vz = vz * days, .mass = mass * solar_mass };
    return body;
}

fn solarSystem() ![5]*Body {
    return .{
        try planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        try planet(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01, 1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
        try planet(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01, -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
        try planet(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01, 2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
        try planet(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01, 2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
    };
}

fn offsetMomentum(bodies: []*Body) void {
    const sun = bodies[0];
    for (bodies) |body| {
        sun.vx -= body.vx * body.mass / solar_mass;
        sun.vy -= body.vy * body.mass / solar_mass;
        sun.vz -= body.vz * body.mass / solar_mass;
    }
}

fn energy(bodies: []*Body) f64 {
    var e: f64 = 0.0;
    for (bodies, 0..) |a, i| {
        e += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
        for (bodies[i + 1 ..]) |b| {
            const dx, const dy, const dz = .{ a.x - b.x, a.y - b.y, a.z - b.z };
            e -= a.mass * b.mass / @sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

fn advance(bodies: []*Body, dt: f64) void {
    for (bodies, 0..) |a, i| {
        for (bodies[i + 1 ..]) |b| {
            const dx, const dy, const dz = .{ a.x - b.x, a.y - b.y, a.z - b.z };
            const squared = dx * dx + dy * dy + dz * dz;
            const mag = dt / (squared * @sqrt(squared));
            a.vx -= dx * b.mass * mag;
            a.vy -= dy * b.mass * mag;
            a.vz -= dz * b.mass * mag;
            b.vx += dx * a.mass * mag;
            b.vy += dy * a.mass * mag;
            b.vz += dz * a.mass * mag;
        }
    }
    for (bodies) |body| {
        body.x += dt * body.vx;
        body.y += dt * body.vy;
        body.z += dt * body.vz;
    }
}

pub fn main(init: std.process.Init) !void {
    var buffer: [256]u8 = undefined;
    var stdout = std.Io.File.stdout().writer(init.io, &buffer);
    const out = &stdout.interface;
    var bodies = try solarSystem();
    offsetMomentum(&bodies);
    try out.print("{d:.9}\n", .{energy(&bodies)});
    for (0..5_000_000) |_| advance(&bodies, 0.01);
    try out.print("{d:.9}\n", .{energy(&bodies)});
    try out.flush();
}
