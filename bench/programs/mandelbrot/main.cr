# How many points of a grid stay near zero for 100 steps.
def stays?(cr : Float64, ci : Float64) : Bool
  zr = 0.0
  zi = 0.0
  100.times do
    r, i = zr * zr, zi * zi
    return false if r + i > 4.0
    zi = 2.0 * zr * zi + ci
    zr = r - i + cr
  end
  true
end

n = 1600
inside = 0_i64
n.times do |y|
  n.times do |x|
    inside += 1 if stays?(3.0 * x / n - 2.0, 2.0 * y / n - 1.0)
  end
end
puts inside
