-- Keep all of these jobs, or none; a job that only waits for its last run to end makes room. Each at the version that was read, if it has one.
-- Returns nothing, or what is in the way: the place of a job that is there, or -1 if one isn't as it was read.
local function put_new_jobs(jobs)
  local is_one_there = false
  for at = 1, #jobs, CHUNK do
    local keys = {}
    for place = at, math.min(at + CHUNK - 1, #jobs) do keys[#keys + 1] = job_key(jobs[place].id) end
    is_one_there = is_one_there or redis.call('EXISTS', unpack(keys)) > 0
  end
  for at, job in ipairs(jobs) do
    if job.expects then
      if not has_version(job.id, job.expects) then return -1 end
    elseif is_one_there and redis.call('EXISTS', job_key(job.id)) == 1 and redis.call('HGET', job_key(job.id), 'state') ~= ENDING then
      return at - 1
    end
  end
  for _, job in ipairs(jobs) do
    if job.expects then
      replace_job(job)
    else
      if is_one_there and redis.call('EXISTS', job_key(job.id)) == 1 then
        forget_job(job.id)
        disown(job.id, question.skipped)
      end
      put_job(job, later)
    end
  end
end
