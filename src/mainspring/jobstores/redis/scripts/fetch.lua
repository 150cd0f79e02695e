-- Due jobs and available queued runs, to be decided on. What is due is held for a moment, so that others look at other jobs.
local now, limit = question.now, question.limit
local FUNC, TRIGGER, OPTIONS = 1, 2, 3 -- of the columns
local aside = {}
for _, id in ipairs(question.set_aside) do aside[id] = true end

-- Parallel lists, since an object for each of a thousand jobs takes its time.
local found = { ids = {}, dues = {}, executors = {} }
local prioritised = has('prioritised')
local wanted = (prioritised and 10000 or limit) + #question.set_aside
for _, executor in ipairs(question.executors) do
  local due = redis.call('ZRANGEBYSCORE', due_key(executor), '-inf', now, 'WITHSCORES', 'LIMIT', 0, wanted)
  for at = 1, #due, 2 do
    if not aside[due[at]] then
      local place = #found.ids + 1
      found.ids[place], found.dues[place], found.executors[place] = due[at], due[at + 1], executor
    end
  end
end
local order = {}
for place = 1, #found.ids do order[place] = place end
if prioritised or #question.executors > 1 then
  local times, priorities = {}, {}
  local given = prioritised and ask_many('ZMSCORE', key('prioritised'), found.ids) or {}
  for place in ipairs(order) do
    times[place], priorities[place] = tonumber(found.dues[place]), tonumber(given[place] or 0)
  end
  table.sort(order, function(one, other)
    if priorities[one] ~= priorities[other] then return priorities[one] > priorities[other] end
    if times[one] ~= times[other] then return times[one] < times[other] end
    return one < other
  end)
end

-- What many jobs have in common goes out once: their rows have references to these texts.
local texts, references, last = {}, {}, 0
local function reference(text)
  if text and not references[text] then
    last = last + 1
    references[text] = tostring(last)
    texts[references[text]] = text
  end
  return text and references[text]
end

local groups = {}
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

-- The group of jobs with these options, which are the same text for many. What can't be read is no group: nor is the job.
local group_of = {}
local function see_group_of(options)
  if not options or group_of[options] ~= nil then return end
  local is_read, read = false, nil
  if string.find(options, '"group"', 1, true) then is_read, read = pcall(cjson.decode, options) end
  group_of[options] = is_read and type(read) == 'table' and type(read.group) == 'string' and read.group
  see_group(group_of[options])
end

local function read(id, columns)
  local fields = redis.call('HMGET', job_key(id), unpack(columns))
  if not fields[FUNC] then return nil end -- it isn't ours, or not any more
  see_group_of(fields[OPTIONS])
  fields[FUNC], fields[TRIGGER], fields[OPTIONS] = reference(fields[FUNC]), reference(fields[TRIGGER]), reference(fields[OPTIONS])
  return fields
end

local ids, rows, dues, executors = {}, {}, {}, {}
for at = 1, math.min(#order, limit) do
  local id, executor = found.ids[order[at]], found.executors[order[at]]
  local fields = read(id, question.columns)
  if fields then
    ids[#ids + 1], rows[#rows + 1] = id, fields
    dues[#dues + 1], executors[#executors + 1] = found.dues[order[at]], executor
  else
    redis.call('ZREM', due_key(executor), id) -- somebody has removed it by hand
  end
end

-- Where they are held is a place that none has been in, between two microseconds, so that none can be there for another reason. The
-- places follow one another as long as clocks do; a node whose clock has jumped takes nobody else along.
local hold = false
if #ids > 0 then
  local next_hold, last_hold = tonumber(question.hold), tonumber(redis.call('GET', key('hold')) or '0')
  if next_hold <= last_hold and next_hold > last_hold - 1000000 then next_hold = last_hold + 1 end
  redis.call('SET', key('hold'), string.format('%.0f', next_hold))
  hold = string.format('%.0f.5', next_hold)
  for at, id in ipairs(ids) do later('ZADD', due_key(executors[at]), hold, id) end
end

-- The queued runs that have waited longest, a few times as many as are wanted; and if few jobs have all of them, which may not be run
-- now, one run of each of as many others.
local LOOKED_AT = 10000 -- at most
local function queued_names()
  local most, seen, jobs_seen = 5 * limit, {}, 0
  local function see(name)
    local id = job_id_of(name)
    if seen[id] then return false end
    seen[id], jobs_seen = true, jobs_seen + 1
    return true
  end
  local names = redis.call('ZRANGEBYSCORE', key('queue'), '-inf', now, 'LIMIT', 0, most)
  for _, name in ipairs(names) do see(name) end
  local from, page = #names, names
  while #page > 0 and from >= most and from < LOOKED_AT and jobs_seen < limit do
    page = redis.call('ZRANGEBYSCORE', key('queue'), '-inf', now, 'LIMIT', from, CHUNK)
    for _, name in ipairs(page) do
      if see(name) then names[#names + 1] = name end
    end
    from = from + #page
  end
  return names
end

local runs, jobs = {}, {}
if question.looks_into_queue then
  local seen = {}
  for _, name in ipairs(queued_names()) do
    local text = redis.call('HGET', key('queued'), name)
    if text then
      local id = job_id_of(name)
      runs[#runs + 1] = { name, text }
      if not seen[id] then
        seen[id] = true
        local fields = read(id, question.queued_columns)
        if fields then jobs[#jobs + 1] = { id, fields, counted('running', id) } end
      end
    end
  end
end

-- What few jobs have: instances that run, and runs that wait.
local busy = {}
local running, buffered, queued = read_counts('running', ids), read_counts('buffered_of', ids), read_counts('queued_of', ids)
if next(running) or next(queued) then
  for _, id in ipairs(ids) do
    local count, waiting = running[id] or 0, queued[id] or 0
    if count > 0 or waiting > 0 then busy[#busy + 1] = { id, count, buffered[id] or 0, waiting } end
  end
end
return answer({
  ids = ids, rows = rows, dues = dues, executors = executors, texts = texts, busy = busy, hold = hold,
  runs = runs, jobs = jobs, groups = groups,
})
