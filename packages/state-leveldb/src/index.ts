/**
 * State in LevelDB: one database per task, guarded against lost files, damaged bytes and second users.
 *
 * @module
 */
export { levelDbEngine, type LevelDbOptions } from './level-db-engine.ts';
