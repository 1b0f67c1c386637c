"""A recording for gradients: it keeps them as short as a person would write them."""

from arlif.core.graph import Node, Op
from arlif.core.trace import Recording, Symbol

ZERO = Node(Op.NUMBER)


class SignedRecording(Recording):
    """A recording that moves signs outward, joins branches and knows 1 - sigma(y) = sigma(-y)."""

    def _simpler(self, op: Op, args: list[Symbol]) -> Symbol | None:
        nodes = [self.nodes[arg.place] for arg in args]
        minus = [Symbol(self, node.args[0]) if node.op is Op.NEG else None for node in nodes]
        simpler: Symbol | None = None
        match op, minus:
            case Op.ADD, [None, Symbol() as b]:
                simpler = args[0] - b
            case Op.ADD, [Symbol() as a, None]:
                simpler = args[1] - a
            case Op.ADD, [Symbol() as a, Symbol() as b]:
                simpler = -(a + b)
            case Op.SUB, [None, Symbol() as b]:
                simpler = args[0] + b
            case Op.SUB, [Symbol() as a, None]:
                simpler = -(a + args[1])
            case Op.SUB, [Symbol() as a, Symbol() as b]:
                simpler = b - a
            case Op.SUB, _ if nodes[0].number == 1 and nodes[1].op is Op.SIGMOID:
                simpler = self.add(Op.SIGMOID, -Symbol(self, nodes[1].args[0]))
            case ((Op.ADD | Op.SUB), _) if self._complementary(*nodes):
                simpler = self._joined(op, *nodes)
            case ((Op.TIMES | Op.MULTIPLY), [Symbol() as a, _]):
                simpler = -self.add(op, a, args[1])
            case ((Op.TIMES | Op.MULTIPLY | Op.SURROGATE | Op.INSIDE), [_, Symbol() as b]):
                simpler = -self.add(op, args[0], b)
            case Op.WHERE, [_, Symbol() as a, None] if nodes[2] == ZERO:
                simpler = -self.add(op, args[0], a, 0)
            case Op.WHERE, [_, None, Symbol() as b] if nodes[1] == ZERO:
                simpler = -self.add(op, args[0], 0, b)
            case ((Op.ADD | Op.TIMES), _) if args[0].place > args[1].place:
                simpler = self.add(op, args[1], args[0])
        return super()._simpler(op, args) if simpler is None else simpler

    def _complementary(self, first: Node, second: Node) -> bool:
        """Whether two are choices on one condition, one of them 0 in each branch."""
        if not (first.op is second.op is Op.WHERE and first.args[0] == second.args[0]):
            return False
        branches = zip(first.args[1:], second.args[1:], strict=True)
        return all(ZERO in (self.nodes[a], self.nodes[b]) for a, b in branches)

    def _joined(self, op: Op, first: Node, second: Node) -> Symbol:
        """The sum or the difference of two such choices as one."""
        branches = [
            self.add(op, Symbol(self, a), Symbol(self, b))
            for a, b in zip(first.args[1:], second.args[1:], strict=True)
        ]
        return self.add(Op.WHERE, Symbol(self, first.args[0]), *branches)
