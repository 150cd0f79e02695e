-- Forget ended runs, and count those of jobs that are there by minute, hour and day in the same step; one that is not there any more was
-- counted when it was forgotten. run.fields: of its minute, hour and day; run.numbers: what is counted of it. question.least, question.greatest: what isn't added.
local totals = {}
local there = {}
local function is_there(id)
  if there[id] == nil then
    local state = redis.call('HGET', job_key(id), 'state')
    there[id] = state and state ~= ENDING
  end
  return there[id]
end
local function counted_into(id, field)
  totals[id] = totals[id] or {}
  if not totals[id][field] then
    local known = redis.call('HGET', key('rollups:' .. id), field)
    totals[id][field] = known and cjson.decode(known) or {}
  end
  return totals[id][field]
end
for _, run in ipairs(question.runs) do
  local id = run.job_id
  redis.call('ZREM', key('history'), run.name)
  redis.call('ZREM', runs_key(id), string.sub(run.name, #id + 2))
  if redis.call('HDEL', key('ended'), run.name) == 1 and is_there(id) then
    for _, field in ipairs(run.fields) do
      local numbers = counted_into(id, field)
      for name, value in pairs(run.numbers) do
        local known = numbers[name]
        if not known then
          numbers[name] = value
        elseif question.least[name] then
          numbers[name] = math.min(known, value)
        elseif question.greatest[name] then
          numbers[name] = math.max(known, value)
        else
          numbers[name] = known + value
        end
      end
    end
  end
end
for id, fields in pairs(totals) do
  redis.call('SADD', key('rolled_up'), id)
  for field, numbers in pairs(fields) do redis.call('HSET', key('rollups:' .. id), field, cjson.encode(numbers)) end
end
return answer({})
