# Floating point over objects that are shared by reference.
class Body
  property x : Float64, y : Float64, z : Float64, vx : Float64, vy : Float64, vz : Float64, mass : Float64

  def initialize(@x, @y, @z, @vx, @vy, @vz, @mass)
  end
end

SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793
DAYS       = 365.24

def planet(x, y, z, vx, vy, vz, mass)
  Body.new(x, y, z, vx * DAYS, vy * DAYS, vz * DAYS, mass * SOLAR_MASS)
end

def solar_system
  [
    planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
    planet(4.84143144246472090e+00, -1.16032004402742839e+00, -1.03622044471123109e-01,
      1.66007664274403694e-03, 7.69901118419740425e-03, -6.90460016972063023e-05, 9.54791938424326609e-04),
    planet(8.34336671824457987e+00, 4.12479856412430479e+00, -4.03523417114321381e-01,
      -2.76742510726411899e-03, 4.99852801234917238e-03, 2.30417297573763929e-05, 2.85885980666130812e-04),
    planet(1.28943695621391310e+01, -1.51111514016986312e+01, -2.23307578892655734e-01,
      2.96460137564761618e-03, 2.37847173959480950e-03, -2.96589568540237556e-05, 4.36624404335156298e-05),
    planet(1.53796971148509165e+01, -2.59193146099879641e+01, 1.79258772950371181e-01,
      2.68067772490389322e-03, 1.62824170038242295e-03, -9.51592254519715870e-05, 5.15138902046611451e-05),
  ]
end

def offset_momentum(bodies)
  sun = bodies[0]
  bodies.each do |body|
    sun.vx -= body.vx * body.mass / SOLAR_MASS
    sun.vy -= body.vy * body.mass / SOLAR_MASS
    sun.vz -= body.vz * body.mass / SOLAR_MASS
  end
end

def energy(bodies)
  e = 0.0
  bodies.each_with_index do |a, i|
    e += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    (i + 1...bodies.size).each do |j|
      b = bodies[j]
      dx = a.x - b.x
      dy = a.y - b.y
      dz = a.z - b.z
      e -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  e
end

def advance(bodies, dt)
  n = bodies.size
  (0...n).each do |i|
    a = bodies[i]
    (i + 1...n).each do |j|
      b = bodies[j]
      dx = a.x - b.x
      dy = a.y - b.y
      dz = a.z - b.z
      squared = dx * dx + dy * dy + dz * dz
      mag = dt / (squared * Math.sqrt(squared))
      a.vx -= dx * b.mass * mag
      a.vy -= dy * b.mass * mag
      a.vz -= dz * b.mass * mag
      b.vx += dx * a.mass * mag
      b.vy += dy * a.mass * mag
      b.vz += dz * a.mass * mag
    end
  end
  bodies.each do |body|
    body.x += dt * body.vx
    body.y += dt * body.vy
    body.z += dt * body.vz
  end
end

bodies = solar_system
offset_momentum(bodies)
printf("%.9f\n", energy(bodies))
5_000_000.times { advance(bodies, 0.01) }
printf("%.9f\n", energy(bodies))
