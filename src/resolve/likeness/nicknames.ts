/**
 * Given names and their everyday short forms, English and German, from common knowledge of naming customs. One line is one
 * set of names that may stand for each other; a name may stand in several sets (Alex is Alexander and Alexandra), so the
 * relation is deliberately not transitive: two names are related only when one line holds both.
 */
const sets = `
abigail abby abbie gail
alexander alex alec alek sasha xander
alexandra alex alexa sandra sasha
alfred alf fred freddie
amanda mandy
andrew andy drew andreas
angela angie
anthony tony antony
anna anne ann annie hannah
barbara barb babs
benjamin ben benny
bernard bernie bernhard
bradley brad
catherine katherine kathryn kate katie kathy cathy kat katharina
charles charlie chuck chas karl
charlotte lottie charlie
christina christine chris tina christa
christopher chris kit topher christoph
cynthia cindy
daniel dan danny
david dave davey
deborah debra deb debbie
dominic dom nick
donald don donnie
dorothy dot dottie
douglas doug
edward ed eddie ted teddy ned eduard
eleanor ellie nell nora
elizabeth liz lizzie beth betty eliza lisa elisabeth libby
emily em emmy
emma em
frances fran francesca
francis frank fran
franklin frank
frederick fred freddie fritz friedrich
gabriel gabe
gabriella gabby ella
gerald gerry jerry
geoffrey geoff jeff jeffrey
george georgie georg jorg
gregory greg gregor
harold harry hal
henry harry hank heinrich
isabella bella izzy isabel
jacob jake jakob
jacqueline jackie
james jim jimmy jamie jem
jennifer jen jenny
jessica jess jessie
joanna jo joanne
johannes hans john
john jack johnny jon
jonathan jon jonny nathan
joseph joe joey josef
joshua josh
judith judy
kenneth ken kenny
kimberly kim
lawrence larry laurence lorenz
leonard len lenny leo
louis lou lewis ludwig
louise lou
lucas luke lukas
margaret maggie meg peggy greta marge rita
maria mary marie molly
martin marty
matthew matt matthias
maximilian max
maxwell max
melissa mel missy
michael mike mick mickey micha
nathaniel nate nathan nat
nathan nate nat
nicholas nick nicky nico niklas klaus
nicole nicky nikki
oliver ollie olli
olivia liv livvy
pamela pam
patricia pat patty trish tricia
patrick pat paddy
peter pete
philip phil phillip philipp
rachel rach
raymond ray
rebecca becky becca bec
richard rick dick rich ricky
robert bob rob bobby robbie bert
ronald ron ronnie
rosemary rose rosie
russell russ
samantha sam sammy
samuel sam sammy
sarah sara sally
sebastian seb basti
stephanie steph
stephen steven steve stefan
susan sue susie suzanne
theodore ted theo teddy
theresa terry tess teresa
thomas tom tommy
timothy tim timmy
valerie val
victoria vicky tori
vincent vince vinnie
virginia ginny
walter walt wally
william bill will billy willy liam wilhelm
zachary zach zack
`;

const setsOf: ReadonlyMap<string, ReadonlySet<number>> = sets
  .trim()
  .split("\n")
  .reduce((found, line, index) => {
    for (const name of line.split(" ")) found.set(name, (found.get(name) ?? new Set<number>()).add(index));
    return found;
  }, new Map<string, Set<number>>());

/** True when two different given names are everyday forms of one name. Both in lower case. */
export function areNicknames(a: string, b: string): boolean {
  const of = setsOf.get(a);
  const and = setsOf.get(b);
  if (a === b || of === undefined || and === undefined) return false;
  for (const set of of) if (and.has(set)) return true;
  return false;
}
