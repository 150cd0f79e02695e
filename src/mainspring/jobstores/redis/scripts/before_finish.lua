-- What follows from outcomes is decided on: the jobs that come after those that have ended, those that count their failures, and
-- which of the runs are still in the hands that they were in, and of jobs that are there.
local function row(id) return { id, redis.call('HMGET', job_key(id), unpack(question.columns)) } end
local followers, counting, are_active = {}, {}, {}
for _, id in ipairs(question.followed) do
  for _, follower in ipairs(redis.call('SMEMBERS', key('followers:' .. id))) do followers[#followers + 1] = row(follower) end
end
for _, id in ipairs(question.counting) do
  if redis.call('HGET', job_key(id), 'state') ~= ENDING then counting[#counting + 1] = row(id) end
end
for at, one in ipairs(question.runs) do 
  local text = redis.call('HGET', active_key(one.token), one.name)
  are_active[at] = text and not is_disowned(text) or false
end
return answer({
  followers = followers,
  counting = counting,
  are_active = are_active,
  version = redis.call('GET', key('followers_version')) or '0',
})
