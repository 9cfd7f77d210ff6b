import { withCommit } from './commit.js';

it('a bench is of the commit and the tree that it began with, whatever is committed or edited meanwhile', async () => {
  let commit = '573cf89';
  const bench = async () => {
    commit = 'ee1714d+';
    return { what: 'measured' };
  };
  expect(await withCommit(bench, () => commit)).toEqual({ what: 'measured', commit: '573cf89' });
});
