# The spectral norm of an infinite matrix, cut off: the Benchmarks Game's.
def entry(i : Int64, j : Int64) : Float64
  1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)
end

def times(v, into)
  v.size.times do |i|
    sum = 0.0
    v.size.times { |j| sum += entry(i.to_i64, j.to_i64) * v[j] }
    into[i] = sum
  end
end

def times_transposed(v, into)
  v.size.times do |i|
    sum = 0.0
    v.size.times { |j| sum += entry(j.to_i64, i.to_i64) * v[j] }
    into[i] = sum
  end
end

n = 2000
u = Array.new(n, 1.0)
v = Array.new(n, 0.0)
t = Array.new(n, 0.0)
10.times do
  times(u, t)
  times_transposed(t, v)
  times(v, t)
  times_transposed(t, u)
end
vbv = 0.0
vv = 0.0
n.times do |i|
  vbv += u[i] * v[i]
  vv += v[i] * v[i]
end
printf("%.9f\n", Math.sqrt(vbv / vv))
