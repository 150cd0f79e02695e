-- Keep all of these jobs, or none; a job that only waits for its last run to end makes room. Each at the version that was read.
for at, job in ipairs(question.jobs) do
  if job.expects then
    if not has_version(job.id, job.expects) then return answer({ is_stale = true }) end
  elseif redis.call('EXISTS', job_key(job.id)) == 1 and redis.call('HGET', job_key(job.id), 'state') ~= ENDING then
    return answer({ taken = at - 1 })
  end
end
for _, job in ipairs(question.jobs) do
  if job.expects then
    replace_job(job)
  else
    forget_job(job.id)
    put_job(job)
  end
end
tell()
return answer({})
