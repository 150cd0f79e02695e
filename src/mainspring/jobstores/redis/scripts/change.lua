-- Put a job in the place of the one that was read.
local job = question.job
if not has_version(job.id, job.expects) then return answer({ is_stale = true }) end
replace_job(job)
note()
tell()
return answer({})
