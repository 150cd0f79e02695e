-- Ended runs that are to be forgotten, up to so many: of a job all but the latest, or whatever was due and ended before a time; a backfill
-- runs now what was due long ago. By the runs of backfills, one that is asked for again knows what it has done: they aren't among those
-- that are counted.
local found = {}
local function add(name, text) found[#found + 1] = { name, text } end
local function answered(kept) return answer({ runs = found[1] and found or false, kept = kept }) end
if question.before then
  local names = redis.call(
    'ZRANGEBYSCORE', key('history'), '-inf', '(' .. question.before, 'LIMIT', question.from, question.count
  )
  for at, text in ipairs(ask_many('HMGET', key('ended'), names)) do
    local finished = text and string.match(text, '"finished":"([^"]*)"')
    if not finished or finished < question.before_text then add(names[at], text) end
  end
  return answered(#names - #found)
end
local function is_counted(text)
  return text and not (string.find(text, '"cause":"backfill"', 1, true) or string.find(text, '"cause":"parallel"', 1, true))
end
for _, id in ipairs(question.ids) do
  if redis.call('ZCARD', runs_key(id)) > question.keep then
    local from, kept, members = 0, 0, nil
    repeat
      members = redis.call('ZREVRANGE', runs_key(id), from, from + CHUNK - 1)
      local names = {}
      for at, member in ipairs(members) do names[at] = id .. '/' .. member end
      for at, text in ipairs(ask_many('HMGET', key('ended'), names)) do
        if is_counted(text) then
          kept = kept + 1
          if kept > question.keep then add(names[at], text) end
        end
      end
      from = from + CHUNK
    until #members < CHUNK or #found >= question.count
  end
end
return answered(0)
