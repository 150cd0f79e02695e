CREATE TABLE `STEM_jobs` (
	id VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	name VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	func VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	`trigger` LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	trigger_text LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	arguments LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	next_run_time DATETIME(6), 
	executor VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	options LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	tags LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, 
	version BIGINT NOT NULL, 
	created DATETIME(6) NOT NULL, 
	updated DATETIME(6) NOT NULL, 
	PRIMARY KEY (id)
)ENGINE=InnoDB;
CREATE INDEX `ix_STEM_jobs_next_run_time` ON `STEM_jobs` (next_run_time);
CREATE TABLE `STEM_runs` (
	job_id VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	scheduled DATETIME(6) NOT NULL, 
	attempt INTEGER NOT NULL, 
	instances INTEGER NOT NULL, 
	node VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, 
	token BIGINT, 
	claimed DATETIME(6), 
	started DATETIME(6), 
	finished DATETIME(6), 
	outcome VARCHAR(20), 
	error LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, 
	result LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, 
	PRIMARY KEY (job_id, scheduled, attempt)
)ENGINE=InnoDB;
CREATE INDEX `ix_STEM_runs_scheduled` ON `STEM_runs` (scheduled);
CREATE INDEX `ix_STEM_runs_outcome` ON `STEM_runs` (outcome, job_id);
CREATE TABLE `STEM_nodes` (
	token BIGINT NOT NULL AUTO_INCREMENT, 
	name VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	host VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	pid BIGINT NOT NULL, 
	version VARCHAR(50) NOT NULL, 
	executors LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, 
	clock_offset INTEGER NOT NULL, 
	lease INTEGER NOT NULL, 
	started DATETIME(6) NOT NULL, 
	heartbeat DATETIME(6) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	PRIMARY KEY (token)
)ENGINE=InnoDB;
CREATE TABLE `STEM_schema` (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
)ENGINE=InnoDB;
INSERT INTO `STEM_schema` (version) VALUES (2);
INSERT INTO `STEM_jobs` (id, name, func, `trigger`, trigger_text, arguments, next_run_time, executor, state, options, version, created, updated) VALUES ('kept', 'kept', 'operator:add', '{"type":"date","version":1,"run_date":{"at":"2100-01-01T00:00:00+00:00","timezone":"UTC"}}', 'date[2100-01-01 00:00:00 UTC]', '{"version":1,"args":[1,2],"kwargs":{}}', '2100-01-01 00:00:00.000000', 'default', 'scheduled', '{"misfire_grace_time": null, "coalesce": true, "max_instances": 1, "on_lost": "record"}', 0, '2026-11-01 00:00:00.000000', '2026-11-01 00:00:00.000000');
