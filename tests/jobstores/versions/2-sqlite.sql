CREATE TABLE "STEM_jobs" (
	id VARCHAR(191) NOT NULL, 
	name VARCHAR(1000) NOT NULL, 
	func VARCHAR(1000) NOT NULL, 
	"trigger" TEXT NOT NULL, 
	trigger_text TEXT NOT NULL, 
	arguments TEXT NOT NULL, 
	next_run_time VARCHAR(26), 
	executor VARCHAR(191) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	options TEXT NOT NULL, 
	tags TEXT, 
	version BIGINT NOT NULL, 
	created VARCHAR(26) NOT NULL, 
	updated VARCHAR(26) NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX "ix_STEM_jobs_next_run_time" ON "STEM_jobs" (next_run_time);
CREATE TABLE "STEM_runs" (
	job_id VARCHAR(191) NOT NULL, 
	scheduled VARCHAR(26) NOT NULL, 
	attempt INTEGER NOT NULL, 
	instances INTEGER NOT NULL, 
	node VARCHAR(1000), 
	token BIGINT, 
	claimed VARCHAR(26), 
	started VARCHAR(26), 
	finished VARCHAR(26), 
	outcome VARCHAR(20), 
	error TEXT, 
	result TEXT, 
	PRIMARY KEY (job_id, scheduled, attempt)
);
CREATE INDEX "ix_STEM_runs_scheduled" ON "STEM_runs" (scheduled);
CREATE INDEX "ix_STEM_runs_going_on" ON "STEM_runs" (job_id) WHERE outcome IS NULL;
CREATE TABLE "STEM_nodes" (
	token INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR(1000) NOT NULL, 
	host VARCHAR(1000) NOT NULL, 
	pid BIGINT NOT NULL, 
	version VARCHAR(50) NOT NULL, 
	executors TEXT NOT NULL, 
	clock_offset INTEGER NOT NULL, 
	lease INTEGER NOT NULL, 
	started VARCHAR(26) NOT NULL, 
	heartbeat VARCHAR(26) NOT NULL, 
	state VARCHAR(20) NOT NULL
);
CREATE TABLE "STEM_schema" (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "STEM_schema" (version) VALUES (2);
INSERT INTO "STEM_jobs" (id, name, func, "trigger", trigger_text, arguments, next_run_time, executor, state, options, version, created, updated) VALUES ('kept', 'kept', 'operator:add', '{"type":"date","version":1,"run_date":{"at":"2100-01-01T00:00:00+00:00","timezone":"UTC"}}', 'date[2100-01-01 00:00:00 UTC]', '{"version":1,"args":[1,2],"kwargs":{}}', '2100-01-01 00:00:00.000000', 'default', 'scheduled', '{"misfire_grace_time": null, "coalesce": true, "max_instances": 1, "on_lost": "record"}', 0, '2026-11-01 00:00:00.000000', '2026-11-01 00:00:00.000000');
