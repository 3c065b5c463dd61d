/**
 * Precedence of infix operators.
 *
 * @module
 */
import type { IToken } from 'chevrotain';
import type { Binary, BinaryOp, Expr } from './ast.js';
import { endOf } from './scan.js';

const COMPARISON = 3;

/** How tightly an infix operator binds; all are left associative, and comparisons do not associate. */
export const PRECEDENCE: Readonly<Record<Exclude<BinaryOp, '^'>, number>> = {
  '||': 1,
  '&&': 2,
  '==': COMPARISON,
  '!=': COMPARISON,
  '<': COMPARISON,
  '<=': COMPARISON,
  '>': COMPARISON,
  '>=': COMPARISON,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
  '%': 5,
};

/** Orders a chain `a op b op c ...` by precedence while it is read (operator-precedence parsing, Dijkstra 1961). */
export class OperatorStack {
  private readonly operands: Expr[];
  private readonly heights: number[];
  private readonly operators: IToken[] = [];

  /** @param chained called with the operator of a comparison whose left side is a comparison */
  constructor(
    first: Expr,
    height: number,
    private readonly chained: (operator: IToken) => void,
  ) {
    this.operands = [first];
    this.heights = [height];
  }

  push(operator: IToken, right: Expr, height: number): void {
    const precedence = level(operator);
    while (this.operators.length > 0) {
      const above = level(this.operators[this.operators.length - 1]);
      if (above < precedence) break;
      if (above === COMPARISON && precedence === COMPARISON) this.chained(operator);
      this.reduce();
    }
    this.operators.push(operator);
    this.operands.push(right);
    this.heights.push(height);
  }

  /** The whole chain as one expression. */
  finish(): { expr: Expr; height: number } {
    while (this.operators.length > 0) this.reduce();
    return { expr: this.operands[0], height: this.heights[0] };
  }

  private reduce(): void {
    const operator = this.operators.pop() as IToken;
    const right = this.operands.pop() as Expr;
    const left = this.operands.pop() as Expr;
    const height = Math.max(this.heights.pop() as number, this.heights.pop() as number) + 1;
    const binary: Binary = {
      kind: 'Binary',
      range: { start: left.range.start, end: right.range.end },
      op: operator.image as BinaryOp,
      opRange: { start: operator.startOffset, end: endOf(operator) },
      left,
      right,
    };
    this.operands.push(binary);
    this.heights.push(height);
  }
}

const level = (operator: IToken): number => PRECEDENCE[operator.image as keyof typeof PRECEDENCE];
