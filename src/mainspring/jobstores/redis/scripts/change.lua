-- Put a job in the place of the one that was read.
local job = question.job
if not has_version(job.id, job.expects) then return answer({ is_stale = true }) end
local created = redis.call('HGET', job_key(job.id), 'created')
forget_job(job.id)
put_job(job)
if created then redis.call('HSET', job_key(job.id), 'created', created) end
tell()
return answer({})
