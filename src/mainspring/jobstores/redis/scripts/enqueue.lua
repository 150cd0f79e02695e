-- Queue runs of jobs that are there.
for _, run in ipairs(question.queue) do
  local state = redis.call('HGET', job_key(run.job_id), 'state')
  if not state or state == ENDING then return answer({ unknown = run.job_id }) end
end
local new, noted = {}, {}
for at, run in ipairs(question.queue) do
  if enqueue(run) then
    new[#new + 1] = at - 1
    noted[#noted + 1] = question.audit[at]
  end
end
question.audit = noted
note()
tell()
return answer({ new = new })
