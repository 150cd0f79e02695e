-- The runs that go on, by their names, with what they have said of how far they are.
local runs = {}
for _, token in ipairs(holders()) do
  local active = redis.call('HGETALL', active_key(token))
  for at = 1, #active, 2 do
    local said = has('progress') and redis.call('HGET', key('progress'), active[at])
    runs[#runs + 1] = { active[at], active[at + 1], said }
  end
end
return answer({ runs = runs })
