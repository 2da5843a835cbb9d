import { judgeSeeds } from './judge-seeds.ts';

judgeSeeds('odd');
