import { judgeSeeds } from './judge-seeds.ts';

judgeSeeds('even');
