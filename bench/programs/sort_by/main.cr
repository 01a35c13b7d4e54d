# A million points are sorted by a closure: nearest to a place first, of equally near ones the first made.
struct Point
  getter x : Int64, y : Int64, id : Int64

  def initialize(@x, @y, @id)
  end

  def distance(x : Int64, y : Int64) : Int64
    (@x - x) * (@x - x) + (@y - y) * (@y - y)
  end
end

def sort_from(points : Array(Point), x : Int64, y : Int64)
  points.sort! do |a, b|
    da, db = a.distance(x, y), b.distance(x, y)
    da == db ? a.id <=> b.id : da <=> db
  end
end

points = [] of Point
seed = 5_u64
1_000_000_i64.times do |id|
  seed = seed &* 6364136223846793005 &+ 1442695040888963407
  points << Point.new(((seed >> 33) % 1000).to_i64, ((seed >> 48) % 1000).to_i64, id)
end
2_i64.times do |round|
  sort_from(points, 500 - round * 300, 200 + round * 100)
  check = 0_i64
  points.each { |point| check = (check * 31 + point.id) % 1_000_003 }
  puts check
end
