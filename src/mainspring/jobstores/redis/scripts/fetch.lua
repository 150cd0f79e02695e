-- Due jobs and available queued runs, to be decided on. What is due is held for a moment, so that others look at other jobs.
local now, limit = question.now, question.limit
local aside = {}
for _, id in ipairs(question.set_aside) do aside[id] = true end

local found = {}
local prioritised = redis.call('EXISTS', key('prioritised')) == 1
local wanted = (prioritised and 10000 or limit) + #question.set_aside
for _, executor in ipairs(question.executors) do
  local due = redis.call('ZRANGEBYSCORE', due_key(executor), '-inf', now, 'WITHSCORES', 'LIMIT', 0, wanted)
  for at = 1, #due, 2 do
    local id = due[at]
    if not aside[id] then found[#found + 1] = { id = id, due = due[at + 1], executor = executor, place = #found } end
  end
end
if prioritised or #question.executors > 1 then
  for _, job in ipairs(found) do
    job.time = tonumber(job.due)
    job.priority = prioritised and tonumber(redis.call('ZSCORE', key('prioritised'), job.id) or '0') or 0
  end
  table.sort(found, function(one, other)
    if one.priority ~= other.priority then return one.priority > other.priority end
    if one.time ~= other.time then return one.time < other.time end
    return one.place < other.place
  end)
end

-- The last two columns are `group_name` and `created`: what is there, but has no time of creation, isn't ours.
local group_at = #question.columns - 1
local function row(id, due, executor)
  local fields = redis.call('HMGET', job_key(id), unpack(question.columns))
  if not fields[group_at + 1] then return nil end
  return {
    id, due, executor, fields,
    has('running') and counted('running', id) or 0,
    has('buffered_of') and counted('buffered_of', id) or 0,
    has('queued_of') and counted('queued_of', id) or 0,
  }
end

local rows, groups = {}, {}
local holds = {}
for at = 1, math.min(#found, limit) do
  local job = found[at]
  local found_row = row(job.id, job.due, job.executor)
  if found_row then
    rows[#rows + 1] = found_row
    holds[job.executor] = holds[job.executor] or {}
    local hold = holds[job.executor]
    hold[#hold + 1] = question.hold
    hold[#hold + 1] = job.id
  else
    redis.call('ZREM', due_key(job.executor), job.id) -- somebody has removed it by hand
  end
end
for executor, hold in pairs(holds) do
  for at = 1, #hold, 1000 do
    redis.call('ZADD', due_key(executor), unpack(hold, at, math.min(at + 999, #hold)))
  end
end

-- Queued runs, not only those of jobs that can't have them run: a few times as many are looked at.
local runs, jobs, seen = {}, {}, {}
if question.looks_into_queue then
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key('queue'), '-inf', now, 'LIMIT', 0, 5 * limit)) do
    local text = redis.call('HGET', key('queued'), name)
    if text then
      local id = cjson.decode(text).job_id
      runs[#runs + 1] = text
      if not seen[id] then
        seen[id] = true
        jobs[#jobs + 1] = row(id, false, false)
      end
    end
  end
end

local function see_group(name)
  if name and groups[name] == nil then
    groups[name] = {
      redis.call('HGET', key('groups'), name),
      counted('group_running', name),
      redis.call('LRANGE', key('begun:' .. name), 0, -1),
      redis.call('HGET', key('group_version'), name) or '0',
    }
  end
end
for _, one in ipairs(rows) do see_group(one[4][group_at]) end
for _, one in ipairs(jobs) do see_group(one[4][group_at]) end
return answer({ rows = rows, runs = runs, jobs = jobs, groups = groups })
